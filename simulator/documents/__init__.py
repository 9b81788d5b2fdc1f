"""Reports, feeds, Data Kiosk's queries and uploads, and the storage that their documents lie in."""
