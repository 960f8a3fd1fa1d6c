import { useState } from 'preact/hooks';
import type { Entrance } from '../../src/client/index.ts';
import { server } from './account.ts';
import { useAction } from './hooks.ts';
import { Icon } from './parts/Icon.tsx';
import { Problem } from './parts/Problem.tsx';

interface Props {
  readonly notice: string | undefined;
  onEntered(entrance: Entrance): void;
}

/** The form to log in or to register. */
export function Welcome({ notice, onEntered }: Props) {
  const [isNew, setIsNew] = useState(true);
  const { run, error, busy } = useAction();

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const field = (name: string) => String(form.get(name) ?? '').trim();
    const password = String(form.get('password'));
    const name = field('username');
    run(async () => {
      const entrance = isNew
        ? await server.register({ email: field('email'), username: name, password })
        : await server.login(name.includes('@') ? { email: name, password } : { username: name, password });
      onEntered(entrance);
    });
  };

  return (
    <main class="welcome">
      <div class="welcome-card">
        <div class="brand">
          <Icon name="logo" />
          <h1>Parley</h1>
        </div>
        <p class="lead">{isNew ? 'Create an account and say hello.' : 'Good to see you again.'}</p>
        {notice && !error && (
          <p class="notice" role="status">
            {notice}
          </p>
        )}
        <form onSubmit={submit}>
          {isNew && (
            <label>
              Email
              <input name="email" type="email" autocomplete="email" required maxLength={254} />
            </label>
          )}
          <label>
            {isNew ? 'Username' : 'Username or email'}
            <input
              name="username"
              autocomplete="username"
              autocapitalize="none"
              spellcheck={false}
              required
              maxLength={isNew ? 64 : 254}
            />
          </label>
          <label>
            Password
            <input
              name="password"
              type="password"
              autocomplete={isNew ? 'new-password' : 'current-password'}
              required
              minLength={isNew ? 8 : 1}
            />
            {isNew && <small>At least 8 characters</small>}
          </label>
          <Problem text={error} />
          <button class="primary" type="submit" disabled={busy}>
            {isNew ? 'Create account' : 'Log in'}
          </button>
        </form>
        <p class="switch">
          {isNew ? 'Already have an account?' : 'New here?'}{' '}
          <button type="button" class="link" onClick={() => setIsNew(!isNew)}>
            {isNew ? 'Log in' : 'Create an account'}
          </button>
        </p>
      </div>
      <footer>
        For developers: <a href="docs/">the commands</a>, <a href="api/">the HTTP calls</a>
      </footer>
    </main>
  );
}
