import pytest

pytest.importorskip("cv2", reason="the extra `restore` is not installed")
