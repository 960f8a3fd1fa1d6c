-- concurrently

-- The longest-serving admin of a group, who owns it when the owner leaves. A few rows of each group: nothing that members
-- and messages change touches it.
create index concurrently if not exists chat_members_admins on chat_members (chat_id, joined_at, user_id)
  where role = 'admin';
