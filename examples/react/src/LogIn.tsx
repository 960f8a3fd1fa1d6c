import { accounts } from '@parley-chat/client';
import { type FormEvent, useState } from 'react';

/** Logs in, or creates an account. */
export function LogIn({ entered }: { entered: (token: string) => void }) {
  const [error, setError] = useState('');
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const [email = '', username = '', password = ''] = ['email', 'username', 'password'].map((name) =>
      String(form.get(name) ?? ''),
    );
    const { register, login } = accounts('/');
    try {
      const { token } = await (email
        ? register({ email, username, password })
        : login({ username, password }));
      entered(token);
    } catch (problem) {
      setError((problem as Error).message);
    }
  };
  return (
    <form onSubmit={submit}>
      <label>
        Username <input name="username" required />
      </label>
      <label>
        Password <input name="password" type="password" required />
      </label>
      <label>
        Email, for a new account <input name="email" type="email" />
      </label>
      <button type="submit">Enter</button>
      <p role="alert">{error}</p>
    </form>
  );
}
