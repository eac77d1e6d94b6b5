"""What people see, read from the database: typed functions that give records; all SQL that pages need is here."""
