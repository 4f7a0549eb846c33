"""Operations on data, carried out in batches: checkpointed, resumable, each document exactly once."""
