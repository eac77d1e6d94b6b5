"""The report of a closed challenge: tables, figures, pages, LaTeX, a gallery for any web space."""
