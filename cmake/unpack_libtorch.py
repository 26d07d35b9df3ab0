#!/usr/bin/env python3
"""Unpacks PyTorch's wheels into a folder, leaving out what needs a CUDA toolkit's worth of libraries.

    unpack_libtorch.py FOLDER WHEEL...        unpack (FOLDER must not exist; it appears whole or not at all)
    unpack_libtorch.py --cuda-packages WHEEL  print the pip requirements of the CUDA libraries that the
                                              wheel's libtorch_cpu asks for, one a line (none for a CPU build)

Only the standard library, so that it runs before anything is installed.
"""
import os
import re
import shutil
import sys
import tempfile
import zipfile

# libtorch_cpu needs none of these; together they are more than half of the package.
LEFT_OUT = re.compile(r"^torch/(bin/|lib/lib(torch_cuda|torch_nvshmem|caffe2_nvrtc))")

# The library libtorch_cpu asks the loader for -> the pip package that has it.
CUDA_LIBRARIES = {b"libcudart.so.": "nvidia-cuda-runtime", b"libcupti.so.": "nvidia-cuda-cupti"}


def fail(message):
    print(f"unpack_libtorch: {message}", file=sys.stderr)
    sys.exit(1)


def open_wheel(path):
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        fail(f"{path} is not a whole wheel ({error}); delete it and try again")


def cuda_packages(path):
    """The requirements, pinned to the CUDA release that the wheel was built for."""
    with open_wheel(path) as wheel:
        version = wheel.read("torch/version.py").decode()
        cuda = re.search(r"^cuda\b[^=]*= '(\d+)\.(\d+)'", version, re.MULTILINE)
        if not cuda:
            return []
        # The names stand in the dynamic string table, which the linker puts near either end; reading
        # the whole library is a second, and sure.
        library = wheel.read("torch/lib/libtorch_cpu.so")
    major, minor = cuda.groups()
    # Up to CUDA 12 the packages' names carry the major release.
    suffix = f"-cu{major}" if int(major) < 13 else ""
    return [f"{package}{suffix}=={major}.{minor}.*"
            for name, package in CUDA_LIBRARIES.items() if name in library]


def unpack(folder, paths):
    if os.path.exists(folder):
        fail(f"{folder} exists already")
    parent = os.path.dirname(os.path.abspath(folder))
    os.makedirs(parent, exist_ok=True)
    partial = tempfile.mkdtemp(prefix=".unpacking-", dir=parent)
    try:
        for path in paths:
            with open_wheel(path) as wheel:
                wheel.extractall(partial, [name for name in wheel.namelist() if not LEFT_OUT.match(name)])
        os.chmod(partial, 0o755)
        os.rename(partial, folder)
    except (OSError, zipfile.BadZipFile) as error:
        fail(f"{folder}: {error}")
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "--cuda-packages":
        print(*cuda_packages(arguments[1]), sep="\n")
    elif len(arguments) >= 2 and not arguments[0].startswith("-"):
        unpack(arguments[0], arguments[1:])
    else:
        fail("usage: unpack_libtorch.py FOLDER WHEEL... | --cuda-packages WHEEL")


if __name__ == "__main__":
    main(sys.argv[1:])
