"""What cmake/unpack_libtorch.py makes of PyTorch's wheels."""
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "cmake", "unpack_libtorch.py")


class UnpackLibTorch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def wheel(self, name, files):
        path = os.path.join(self.folder, name)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            for file, content in files.items():
                wheel.writestr(file, content)
        return path

    def torch(self, cuda, library=b""):
        version = f"cuda: Optional[str] = {cuda!r}\nhip: Optional[str] = None\n"
        return self.wheel("torch.whl", {"torch/version.py": version, "torch/lib/libtorch_cpu.so": library})

    def run_script(self, *arguments):
        return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)

    def test_cpu_part_of_several_wheels_lands_in_one_folder(self):
        torch = self.wheel("torch.whl", {
            "torch/include/torch/script.h": "header", "torch/lib/libtorch_cpu.so": "cpu",
            "torch/lib/libc10_cuda.so": "small", "torch/lib/libtorch_cuda.so": "large",
            "torch/lib/libtorch_cuda_linalg.so": "large", "torch/lib/libtorch_nvshmem.so": "large",
            "torch/bin/protoc": "program", "torch-2.15.0.dist-info/licenses/LICENSE": "licence"})
        cupti = self.wheel("cupti.whl", {"nvidia/cu13/lib/libcupti.so.13": "cupti"})
        target = os.path.join(self.folder, "cache", "libtorch")
        result = self.run_script(target, torch, cupti)
        self.assertEqual(result.returncode, 0, result.stderr)
        found = sorted(os.path.relpath(os.path.join(base, file), target)
                       for base, _, files in os.walk(target) for file in files)
        self.assertEqual(found, [
            "nvidia/cu13/lib/libcupti.so.13", "torch-2.15.0.dist-info/licenses/LICENSE",
            "torch/include/torch/script.h", "torch/lib/libc10_cuda.so", "torch/lib/libtorch_cpu.so"])
        self.assertEqual(os.listdir(os.path.dirname(target)), ["libtorch"])

    def test_damaged_wheel_leaves_nothing_behind(self):
        whole = self.torch("13.2", os.urandom(4000))
        with open(whole, "rb") as file:
            content = bytearray(file.read())
        content[content.index(b"libtorch_cpu.so") + 500] ^= 0xFF
        damaged = os.path.join(self.folder, "damaged.whl")
        cut = os.path.join(self.folder, "cut.whl")
        with open(damaged, "wb") as file:
            file.write(content)
        with open(cut, "wb") as file:
            file.write(content[:1000])
        target = os.path.join(self.folder, "cache", "libtorch")
        for path in damaged, cut:
            with self.subTest(path):
                result = self.run_script(target, path)
                self.assertEqual(result.returncode, 1)
                self.assertIn("unpack_libtorch:", result.stderr)
                self.assertEqual(os.listdir(os.path.dirname(target)), [])

    def test_existing_folder_is_left_alone(self):
        target = os.path.join(self.folder, "libtorch")
        os.mkdir(target)
        result = self.run_script(target, self.torch(None))
        self.assertEqual(result.returncode, 1)
        self.assertIn("exists already", result.stderr)
        self.assertEqual(os.listdir(target), [])

    def test_cuda_packages_follow_the_release_the_wheel_was_built_for(self):
        both = b"\0libcudart.so.13\0libcupti.so.13\0"
        for cuda, library, wanted in [
                ("13.2", both, "nvidia-cuda-runtime==13.2.*\nnvidia-cuda-cupti==13.2.*\n"),
                ("12.4", b"\0libcudart.so.12\0", "nvidia-cuda-runtime-cu12==12.4.*\n"),
                (None, b"", "\n")]:
            with self.subTest(cuda):
                result = self.run_script("--cuda-packages", self.torch(cuda, library))
                self.assertEqual((result.returncode, result.stdout), (0, wanted), result.stderr)


if __name__ == "__main__":
    unittest.main()
