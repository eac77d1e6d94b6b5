import pytest

pytest.importorskip("cv2", reason="the extra `pairs` is not installed")
