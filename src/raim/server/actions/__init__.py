"""What people can do: checks, change, audit line; plain functions over a session and a time, without the web."""
