"""The web application: pages, HTTP API, uploads; who may what stands in one table (`access`)."""
