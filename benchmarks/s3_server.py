"""An S3 server that keeps its files in a folder, so that it can be killed and started again and has lost nothing.

    python benchmarks/s3_server.py FOLDER --host 127.0.0.1 --port 9000

It is localbucket (of PyPI, MIT), with the one missing operation that s3fs uses: many deletions in one request.
"""

import contextlib
import xml.etree.ElementTree as ET
from http import HTTPStatus

import localbucket


class Handler(localbucket.S3Handler):  # type: ignore[misc]
    """Answers the requests of one connection."""

    def _post_request(self, bucket: str, key: str) -> None:
        if key or "delete" not in self.query:
            super()._post_request(bucket, key)
            return
        asked = ET.fromstring(self._read_body())  # noqa: S314 - of our own client
        for each in asked.iter(f"{{{localbucket.S3_NAMESPACE}}}Key"):
            self._drop(bucket, each.text or "")
        self._send_xml(ET.Element("DeleteResult", xmlns=localbucket.S3_NAMESPACE))

    def _drop(self, bucket: str, key: str) -> None:
        path = self._object_path(bucket, key)
        if not path.is_file():
            return
        path.unlink()
        with contextlib.suppress(OSError):  # the first folder that is not empty
            for folder in path.parents:
                if folder.name == bucket:
                    break
                folder.rmdir()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say what failed only."""
        if isinstance(code, HTTPStatus) and code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            super().log_request(code, size)


if __name__ == "__main__":
    localbucket.S3Handler = Handler
    localbucket.main()
