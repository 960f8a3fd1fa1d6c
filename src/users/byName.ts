import type { Queries } from '../database/database.ts';
import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';
import type { CustomData } from '../protocol/schema/types.ts';
import { usersByCustom } from './byCustom.ts';
import { type Findable, isContact } from './directory.ts';

/** A position in a list of users by name: the name folded for search and the id of its user. */
export interface NamePosition {
  readonly name: string;
  readonly id: UserId;
}

export interface NameSearch {
  /** The beginning of names, folded for search. */
  readonly prefix: string;
  /** The position after which the list continues; from the beginning if omitted. */
  readonly after?: { readonly name: string; readonly id: number } | undefined;
  readonly custom?: CustomData | undefined;
  readonly findable: Findable;
  readonly limit: number;
}

/**
 * Finds users by a prefix of their username or display name, ordered by name and code point. Each is listed once, under
 * the first matching name. Scans at most {@link SCANNED} names that are not to be listed, so a page may have fewer
 * users than `limit`, or none, although the list continues.
 */
export async function usersByName(
  db: Queries,
  { prefix, after = { name: prefix, id: 0 }, custom, findable: { few, contactOf }, limit }: NameSearch,
): Promise<{ positions: NamePosition[]; next: NamePosition | null }> {
  const matching = few ?? (custom && (await usersByCustom(db, custom)));
  const customJson = custom ? JSON.stringify(custom) : null;
  const bind = [prefix, prefix + HIGHEST, after.name, after.id, limit + 1, customJson];
  const entries = await (matching
    ? db.query<NameRow>(namesOfFew, [...bind, JSON.stringify(matching), contactOf])
    : contactOf === null
      ? db.query<NameRow>(namesFrom, bind)
      : db.query<NameRow>(namesOfContactsFrom, [...bind, contactOf]));
  const positions: NamePosition[] = [];
  for (const { name, id, isListed, isLast } of entries) {
    if (isListed && positions.push({ name, id }) > limit) break;
    if (isLast) return { positions: positions.slice(0, limit), next: { name, id } };
  }
  const page = positions.slice(0, limit);
  return { positions: page, next: positions.length > limit ? (page.at(-1) ?? null) : null };
}

/** Names scanned per page in each of the two indexes, which takes some milliseconds. */
const SCANNED = 2_000;

/** The highest code point: all names that begin with a prefix are lower than the prefix followed by it. */
const HIGHEST = '\u{10ffff}';

interface NameRow extends NamePosition {
  readonly isListed: boolean;
  /** True if the scan ended with this name. */
  readonly isLast: boolean;
}

/**
 * Returns an SQL condition: a name begins with $1, that is, it is below $2. The operators compare bytes, regardless of
 * the collation.
 */
const begins = (name: string) => `(${name} ~>=~ $1 and ${name} ~<~ $2)`;

/** SQL conditions: a user is listed under this name and not under the other one. Null if there is no other name. */
const isListedBy: Readonly<Record<Name, string>> = {
  username_search: `(${begins('display_name_search')} and display_name_search ~<~ username_search) is not true`,
  display_name_search: `(${begins('username_search')} and username_search ~<=~ display_name_search) is not true`,
};

type Name = 'username_search' | 'display_name_search';

/**
 * Returns SQL for the entries of the index of a name that are to be listed, in order, and the last scanned one;
 * `condition` is one more for those that are listed.
 */
const entries = (name: Name, where: string, condition: string) => `(
  select * from (
    select ${name} as name, id, row_number() over () = ${SCANNED} as "isLast",
      deleted_at is null and ${isListedBy[name]} and ($6::jsonb is null or custom @> $6)${condition} as "isListed"
    from (select * from users where ${where} order by ${name} using ~<~, id limit ${SCANNED}) entry
  ) scanned
  where "isListed" or "isLast"
  limit $5
)`;

/**
 * Returns SQL for the entries with the name $3 and ids above $4, and for those with later names: each is a range of the
 * index. The array of one element keeps PostgreSQL from scanning all users by id if many have the name.
 */
const entriesFrom = (name: Name, condition: string) => `
${entries(name, `${name} = any (array[$3::text]) and id > $4`, condition)}
union all
${entries(name, `${name} ~>~ $3 and ${name} ~<~ $2`, condition)}
`;

const namesIn = (condition = '') => `
select name, id, "isListed", "isLast"
from (${entriesFrom('username_search', condition)} union all ${entriesFrom('display_name_search', condition)}) entry
order by name using ~<~, id, "isListed" desc
limit $5
`;

/**
 * Uses the indexes users_by_username_in_order and users_by_display_name_in_order. $1 prefix, $2 its end, $3 name and $4
 * id of the position, $5 limit, $6 custom.
 */
export const namesFrom = prepared('users by name', namesIn());

/** Like {@link namesFrom}, for the contacts of the user $7 only. */
export const namesOfContactsFrom = prepared(
  'contacts by name',
  namesIn(` and ${isContact('entry.id', '$7')}`),
);

/** Like {@link namesFrom}, for the users $7 only and, if $8 is not null, for the contacts of that user only. */
const namesOfFew = prepared(
  'matching users by name',
  `
select listed.name, id, true as "isListed", false as "isLast"
from users
cross join lateral (
  select case
    when ${begins('username_search')} and ${isListedBy.username_search} then username_search
    when ${begins('display_name_search')} then display_name_search
  end as name
) listed
where id = any (array(select jsonb_array_elements_text($7::jsonb)::bigint)) and deleted_at is null
  and ($6::jsonb is null or custom @> $6) and ($8::bigint is null or ${isContact('users.id', '$8')})
  and (listed.name ~>~ $3 or (listed.name = $3 and id > $4))
order by listed.name using ~<~, id
limit $5
`,
);
