drop trigger chats_unfolded on chats;
create or replace function unfold_group() returns trigger
  language plpgsql
  as $$
begin
  new.name_folded := null;
  new.name_search := null;
  return new;
end
$$;
create trigger chats_unfolded before update of name on chats
  for each row when (
    old.name is distinct from new.name and current_setting('parley.folds_names', true) is distinct from 'on'
  )
  execute function unfold_group();

drop trigger chat_members_role on chat_members;
alter table chat_members
  add constraint chat_members_role_check check (role in ('owner', 'admin', 'member'));

drop trigger chats_settings on chats;
drop trigger chats_dialog_or_group on chats;
alter table chats
  add constraint chats_kind_check check (kind in ('dialog', 'group')),
  add constraint chats_dialog_or_group check (
    case kind
      when 'dialog' then name is null and user_low is not null and user_high is not null and user_low <= user_high
      else name is not null and user_low is null and user_high is null
    end
  ),
  add constraint chats_who_may_add_check check (who_may_add in ('members', 'admins')),
  add constraint chats_who_may_post_check check (who_may_post in ('members', 'admins')),
  add constraint chats_slow_mode_seconds_check check (slow_mode_seconds >= 0),
  add constraint chats_history_from_check check (history_from in ('beginning', 'joining'));

drop function refuse_row();
