"""The challenge server: settings, database, accounts, submissions and storage under its web pages."""
