import { useState } from 'preact/hooks';
import { useClient, useLoaded, useSettled } from '../hooks.ts';
import { Avatar } from './Avatar.tsx';

interface Person {
  readonly userId: number;
  readonly username: string;
}

interface Props {
  readonly label: string;
  /** Ids of users that are not offered. */
  readonly without?: readonly number[];
  onPick(person: Person): void;
}

/** A search field for users by the beginning of their names. */
export function PeoplePicker({ label, without = [], onPick }: Props) {
  const client = useClient();
  const [query, setQuery] = useState('');
  const settled = useSettled(query.trim());
  const { value: people = [] } = useLoaded<readonly Person[]>(
    async () => (settled ? (await client.call('searchUsers', { query: settled, limit: 8 })).data : []),
    [settled],
  );
  const offered = people.filter(({ userId }) => userId !== client.self?.userId && !without.includes(userId));
  return (
    <div class="picker">
      <label>
        {label}
        <input
          type="search"
          value={query}
          placeholder="Username"
          autocomplete="off"
          onInput={(event) => setQuery(event.currentTarget.value)}
        />
      </label>
      {settled && offered.length === 0 && (
        <p class="empty" role="status">
          No user found
        </p>
      )}
      <ul class="rows">
        {offered.map((person) => (
          <li key={person.userId}>
            <button
              type="button"
              class="row"
              onClick={() => {
                setQuery('');
                onPick(person);
              }}
            >
              <Avatar name={person.username} />
              <span class="row-name">{person.username}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
