"""Switches of libraries that are not here."""

import importlib

import pytest

import rushlight as torch


def test_switches_keep_what_they_are_set_to():
    cudnn = importlib.import_module("rushlight.backends.cudnn")
    assert cudnn is torch.backends.cudnn
    assert not cudnn.is_available()
    with cudnn.flags(deterministic=True):
        assert cudnn.deterministic
    assert not cudnn.deterministic
    with pytest.raises(TypeError, match="unexpected keyword argument 'nonsense'"):
        cudnn.flags(nonsense=True).__enter__()


def test_kernels_of_attention_can_be_chosen():
    cuda = torch.backends.cuda
    assert cuda.flash_sdp_enabled() and cuda.math_sdp_enabled()
    with cuda.sdp_kernel(enable_flash=False):
        assert not cuda.flash_sdp_enabled()
    cuda.enable_math_sdp(False)
    assert not cuda.math_sdp_enabled()
    cuda.enable_math_sdp(True)
    with pytest.raises(AttributeError):
        cuda.nonsense_sdp_enabled()


def test_the_configuration_names_what_computes():
    assert "NumPy" in torch.__config__.show()
    assert f"get_num_threads() : {torch.get_num_threads()}" in torch.__config__.parallel_info()
