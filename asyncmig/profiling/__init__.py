"""What the documents of a collection hold: read by sample or scan, and compared with what models say."""
