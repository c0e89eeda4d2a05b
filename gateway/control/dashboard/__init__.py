"""The dashboard: pages on the admin listener that show the migration and change it.

They are made here and need no script: forms post, plans are pages. Where a script runs, figures are live.
"""
