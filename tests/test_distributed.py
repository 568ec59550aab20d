"""Scripts that ask for torch.distributed learn that there is one process."""

import pytest

import rushlight as torch


def test_questions_are_answered():
    assert not torch.distributed.is_available()
    assert not torch.distributed.is_initialized()
    assert not torch.distributed.is_torchelastic_launched()


def test_what_needs_a_group_says_that_there_is_none():
    with pytest.raises(ValueError, match="Default process group has not been initialized"):
        torch.distributed.get_rank()
    with pytest.raises(ValueError, match="Default process group has not been initialized"):
        torch.distributed.get_world_size()
    with pytest.raises(NotImplementedError, match="one process"):
        torch.distributed.init_process_group("gloo")
    with pytest.raises(NotImplementedError, match="one process, so torch.distributed.all_reduce is not there"):
        torch.distributed.all_reduce(torch.ones(1))
