-- How often a message was changed after it was written; null for never. Raised under the lock of its row, so that
-- pushes of its changes can be told apart by age. Without a default: nothing is rewritten.
alter table messages add version integer;
