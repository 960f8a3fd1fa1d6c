import type { Queries } from '../database/database.ts';
import { prepared } from '../database/statements.ts';
import type { UserId } from '../ids.ts';
import type { CustomData } from '../protocol/schema/types.ts';
import { usersByCustom } from './byCustom.ts';

/** A place in a list of users by name: the name, in the form in which it is searched, and the user who has it. */
export interface NamePosition {
  readonly name: string;
  readonly id: UserId;
}

export interface NameSearch {
  /** How a name begins, in the form in which it is searched. */
  readonly prefix: string;
  /** Where the list goes on; left out: at its beginning. */
  readonly after?: NamePosition | undefined;
  readonly custom?: CustomData | undefined;
  readonly limit: number;
}

/**
 * Finds users by the beginning of their username or display name, in the order of the names by code points, each once: by
 * the first of both that begins so. Looks at no more than {@link SCANNED} names in a row that are not to be listed, so that
 * a page may have fewer users than `limit`, or none, and go on nevertheless.
 */
export async function usersByName(
  db: Queries,
  { prefix, after = { name: prefix, id: 0 }, custom, limit }: NameSearch,
): Promise<{ places: NamePosition[]; next: NamePosition | null }> {
  const few = custom && (await usersByCustom(db, custom));
  const bind = [prefix, prefix + HIGHEST, after.name, after.id, limit + 1];
  const entries = await (few
    ? db.query<NameRow>(namesOfFew, [...bind, JSON.stringify(few)])
    : db.query<NameRow>(namesFrom, [...bind, custom ? JSON.stringify(custom) : null]));
  const places: NamePosition[] = [];
  for (const { name, id, isListed, isLast } of entries) {
    if (isListed && places.push({ name, id }) > limit) break;
    if (isLast) return { places: places.slice(0, limit), next: { name, id } };
  }
  const page = places.slice(0, limit);
  return { places: page, next: places.length > limit ? (page.at(-1) ?? null) : null };
}

/** Names that are looked at in each of the two indexes for one page: some milliseconds. */
const SCANNED = 2_000;

/** The highest code point: no name that begins with a prefix comes after the prefix with it, in the order of code points. */
const HIGHEST = '\u{10ffff}';

interface NameRow extends NamePosition {
  readonly isListed: boolean;
  /** As many were looked at as may be: what follows is not known. */
  readonly isLast: boolean;
}

/** True for a name that begins with $1: below $2. The operators compare by bytes, whatever the collation. */
const begins = (name: string) => `(${name} ~>=~ $1 and ${name} ~<~ $2)`;

/** True where a user is listed by the one name and not by the other, null where there is none. */
const isListedBy: Readonly<Record<Name, string>> = {
  username_search: `(${begins('display_name_search')} and display_name_search ~<~ username_search) is not true`,
  display_name_search: `(${begins('username_search')} and username_search ~<=~ display_name_search) is not true`,
};

type Name = 'username_search' | 'display_name_search';

/** Entries of the index of a name, in its order, that are to be listed, and the last one that was looked at. */
const entries = (name: Name, where: string) => `(
  select * from (
    select ${name} as name, id, row_number() over () = ${SCANNED} as "isLast",
      deleted_at is null and ${isListedBy[name]} and ($6::jsonb is null or custom @> $6) as "isListed"
    from (select * from users where ${where} order by ${name} using ~<~, id limit ${SCANNED}) entry
  ) looked_at
  where "isListed" or "isLast"
  limit $5
)`;

/**
 * Those that have the name $3 and are behind the id $4, and those of later names: a span of the index each. The array of one
 * keeps PostgreSQL from going through all users in the order of their ids, where it knows that many have the name.
 */
const entriesFrom = (name: Name) => `
${entries(name, `${name} = any (array[$3::text]) and id > $4`)}
union all
${entries(name, `${name} ~>~ $3 and ${name} ~<~ $2`)}
`;

/**
 * Indexes users_by_username_in_order and users_by_display_name_in_order. $1 prefix, $2 its end, $3 after this name or at it
 * and $4 after this id, $5 how many, $6 custom.
 */
export const namesFrom = prepared(
  'users by name',
  `
select name, id, "isListed", "isLast"
from (${entriesFrom('username_search')} union all ${entriesFrom('display_name_search')}) entry
order by name using ~<~, id, "isListed" desc
limit $5
`,
);

/** The same of the users $6. */
const namesOfFew = prepared(
  'few users by name',
  `
select listed.name, id, true as "isListed", false as "isLast"
from users
cross join lateral (
  select case
    when ${begins('username_search')} and ${isListedBy.username_search} then username_search
    when ${begins('display_name_search')} then display_name_search
  end as name
) listed
where id = any (array(select jsonb_array_elements_text($6::jsonb)::bigint)) and deleted_at is null
  and (listed.name ~>~ $3 or (listed.name = $3 and id > $4))
order by listed.name using ~<~, id
limit $5
`,
);
