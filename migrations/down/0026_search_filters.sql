create or replace function note_changed_entry() returns trigger
  language plpgsql
  as $$
begin
  insert into message_search_changed (chat_id, seq) values (new.chat_id, new.seq) on conflict do nothing;
  return null;
end
$$;
alter table message_search_progress drop filtered_id;
drop table message_search_filters;
-- Changes that were merged into filters are not noted any more: segments are made anew.
truncate message_search_segments;
update message_search_progress set segmented_id = 0;
