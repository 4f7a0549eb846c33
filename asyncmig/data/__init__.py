"""Operations on the documents of a whole collection: in batches, checkpointed, at a bearable pace."""
