"""All file I/O of revisions: the folder, its files, the HEAD file beside them."""
