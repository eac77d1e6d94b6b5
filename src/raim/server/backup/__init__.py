"""All that a server knows in one file, and a server from it, on SQLite or PostgreSQL whichever it came from."""

from raim.server.backup.arrival import recover_challenge
from raim.server.backup.manifest import BackupManifest
from raim.server.backup.recovering import Recovered, recover_backup
from raim.server.backup.writing import make_backup

__all__ = ["BackupManifest", "Recovered", "make_backup", "recover_backup", "recover_challenge"]
