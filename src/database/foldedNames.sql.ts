/*
 * Statements that find names without folded form, by partial indexes, and write it. A name that several old rows have is
 * ambiguous: all rows but the first have it with a separator, chr(1), and their id (see `ambiguous`).
 */

/** Lets a transaction use the partial indexes regardless of statistics. */
export const onlyByIndex = `
select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true)
`;

/** The condition of the index users_unfolded. */
const isUnfoldedUser =
  '((username is not null and username_folded is null) or (display_name is not null and display_name_search is null))';

/** The condition of the index chats_unfolded. */
const isUnfoldedGroup = '(name is not null and name_folded is null)';

/** A condition: the other old account with the same name has been renamed or deleted. */
const isReleasedUser = `(
  (strpos(username_folded, chr(1)) > 0 or strpos(email_folded, chr(1)) > 0)
  and not exists (
    select from users other
    where other.id <> users.id and other.username_folded = split_part(users.username_folded, chr(1), 1)
  )
  and not exists (
    select from users other
    where other.id <> users.id and other.email_folded = split_part(users.email_folded, chr(1), 1)
  )
)`;

/** The same of groups. */
const isReleasedGroup = `(
  strpos(name_folded, chr(1)) > 0 and not exists (
    select from chats other
    where other.name_folded = split_part(chats.name_folded, chr(1), 1)
      and other.kind = 'group' and not other.is_private and other.closed_at is null
  )
)`;

/** Reads whether there is anything to fill. */
export const anyUnfolded = `
select exists (select from users where ${isUnfoldedUser}) or exists (select from chats where ${isUnfoldedGroup})
  or exists (select from users where ${isReleasedUser}) or exists (select from chats where ${isReleasedGroup}) as rows
`;

/** Empties the folded columns of ambiguous accounts whose name is free now: they are filled next. */
export const releaseUsers = `
update users set username_folded = null, username_search = null, email_folded = null where ${isReleasedUser}
`;

/** The same of groups. */
export const releaseGroups = `
update chats set name_folded = null where ${isReleasedGroup}
`;

/** Reads $1 accounts without folded columns, with ids above $2. */
export const unfoldedUsers = `
select id, email, username, display_name as "displayName", username_folded as "usernameFolded"
from users where ${isUnfoldedUser} and id > $2
order by id limit $1 for update
`;

/** Reads $1 groups without folded columns, with ids above $2. */
export const unfoldedGroups = `
select id, name, kind = 'group' and not is_private and closed_at is null as "isPublic"
from chats where ${isUnfoldedGroup} and id > $2
order by id limit $1 for update
`;

/** Reads which of the folded names $1 and emails $2, JSON arrays, an account has. */
export const takenByUsers = `
select username_folded as username, null as email from users
where username_folded = any (array(select jsonb_array_elements_text($1::jsonb)))
union all
select null, email_folded from users where email_folded = any (array(select jsonb_array_elements_text($2::jsonb)))
`;

/** Reads which of the folded names $1, a JSON array, a public group has. */
export const takenByGroups = `
select name_folded as name from chats
where name_folded = any (array(select jsonb_array_elements_text($1::jsonb)))
  and kind = 'group' and not is_private and closed_at is null
`;

/** Writes the folded columns $1, a JSON array, of accounts that do not have them. */
export const writeUsers = `
update users set
  username_folded = coalesce(users.username_folded, row."usernameFolded"),
  username_search = coalesce(users.username_search, row."usernameSearch"),
  email_folded = coalesce(users.email_folded, row."emailFolded"),
  display_name_search = row."displayNameSearch"
from jsonb_to_recordset($1::jsonb) as row (
  id bigint, "usernameFolded" text, "usernameSearch" text, "emailFolded" text, "displayNameSearch" text
)
where users.id = row.id
`;

/** Writes the folded columns $1, a JSON array, of groups. */
export const writeGroups = `
update chats set name_folded = row."nameFolded", name_search = row."nameSearch"
from jsonb_to_recordset($1::jsonb) as row (id bigint, "nameFolded" text, "nameSearch" text)
where chats.id = row.id
`;

/** Reads at most $1 accounts with ambiguous names. */
export const ambiguousUsers = `
select id, username from users
where strpos(username_folded, chr(1)) > 0 or strpos(email_folded, chr(1)) > 0
order by id limit $1
`;

/** Reads at most $1 groups with ambiguous names. */
export const ambiguousGroups = `
select id, name from chats where strpos(name_folded, chr(1)) > 0 order by id limit $1
`;
