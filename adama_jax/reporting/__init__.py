"""From run folders to tables, figures, films and a page."""
