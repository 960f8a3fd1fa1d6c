import { useState } from 'preact/hooks';
import { changePassword, endToken, server, storedToken } from '../account.ts';
import { deviceOf } from '../device.ts';
import { useAction, useClient, useLoaded } from '../hooks.ts';
import { Panel } from '../parts/Panel.tsx';
import { Problem } from '../parts/Problem.tsx';
import { shortTime } from '../time.ts';

interface Props {
  onClose(): void;
  /** Returns to the login form, which shows `notice`. */
  onLeave(notice?: string): void;
}

/** The settings of this user: the profile, the devices, the password, the account. */
export function SettingsPanel({ onClose, onLeave }: Props) {
  const client = useClient();
  return (
    <Panel title="Settings" onClose={onClose}>
      <p class="faint">You are {client.self?.username}.</p>
      <Profile />
      <Sessions />
      <Password />
      <LogOut onLeave={onLeave} />
      <DeleteAccount onLeave={onLeave} />
    </Panel>
  );
}

function Profile() {
  const client = useClient();
  const { run, error, busy } = useAction();
  const [saved, setSaved] = useState(false);
  const { value: profile } = useLoaded(async () => (await client.call('getProfile')).data, []);
  if (!profile) return null;
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(form.get(name)).trim() || null;
    run(async () => {
      await client.call('updateProfile', { displayName: text('displayName'), about: text('about') });
      await client.call('setPresence', { invisible: form.get('invisible') !== null });
    }).then(setSaved);
  };
  return (
    <form onSubmit={save} onInput={() => setSaved(false)}>
      <label>
        Display name
        <input name="displayName" maxLength={100} defaultValue={profile.displayName ?? ''} />
      </label>
      <label>
        About you
        <textarea name="about" rows={2} maxLength={500} defaultValue={profile.about ?? ''} />
      </label>
      <label class="check">
        <input type="checkbox" name="invisible" defaultChecked={!profile.online} /> Invisible: other users do
        not see that you are online
      </label>
      <Problem text={error} />
      <button type="submit" class="primary" disabled={busy}>
        {saved ? 'Saved' : 'Save'}
      </button>
    </form>
  );
}

function Sessions() {
  const client = useClient();
  const { run, error, busy } = useAction();
  const { value: sessions, reload } = useLoaded(
    async () => (await client.call('listSessions', { live: true })).data,
    [],
  );
  const live = sessions ?? [];
  return (
    <section>
      <h3>Devices</h3>
      <Problem text={error} />
      <ul class="rows">
        {live.map(({ sessionId, device, connectedAt, current }) => (
          <li key={sessionId} class="row">
            <span class="row-text">
              <span class="row-name">{deviceOf(device)}</span>
              <span class="row-message">{current ? 'this device' : `since ${shortTime(connectedAt)}`}</span>
            </span>
            {!current && (
              <button
                type="button"
                disabled={busy}
                onClick={() => run(() => client.call('endSession', { sessionId })).then(reload)}
              >
                Log out
              </button>
            )}
          </li>
        ))}
      </ul>
      <button
        type="button"
        disabled={busy}
        onClick={() => run(() => client.call('endOtherSessions')).then(reload)}
      >
        Log out all others
      </button>
    </section>
  );
}

function Password() {
  const { run, error, busy } = useAction();
  const [done, setDone] = useState(false);
  const change = (event: SubmitEvent) => {
    event.preventDefault();
    const element = event.currentTarget as HTMLFormElement;
    const form = new FormData(element);
    run(async () => {
      await changePassword(String(form.get('new')), String(form.get('current')));
      element.reset();
    }).then(setDone);
  };
  return (
    <details>
      <summary>Change password</summary>
      <form onSubmit={change}>
        <label>
          Current password
          <input name="current" type="password" autocomplete="current-password" required />
        </label>
        <label>
          New password
          <input name="new" type="password" autocomplete="new-password" required minLength={8} />
        </label>
        <Problem text={error} />
        <button type="submit" class="primary" disabled={busy}>
          Set new password
        </button>
        <p role="status">{done && 'Password changed. All other devices were logged out.'}</p>
      </form>
    </details>
  );
}

function LogOut({ onLeave }: Pick<Props, 'onLeave'>) {
  const client = useClient();
  const { run, busy } = useAction();
  const logOut = () => run(async () => onLeave((await endToken(client)) ? undefined : NOT_ENDED));
  return (
    <div class="buttons">
      <button type="button" disabled={busy} onClick={logOut}>
        Log out
      </button>
    </div>
  );
}

const NOT_ENDED =
  'You are logged out of this browser, but the server could not be reached: your login stays valid until it expires. ' +
  'To end it earlier, log in again and choose “Log out all others” in the settings.';

function DeleteAccount({ onLeave }: { onLeave(): void }) {
  const { run, error, busy } = useAction();
  const remove = (event: SubmitEvent) => {
    event.preventDefault();
    const password = String(new FormData(event.currentTarget as HTMLFormElement).get('password'));
    run(async () => {
      await server.delete(storedToken() ?? '', password);
      onLeave();
    });
  };
  return (
    <details>
      <summary>Delete account</summary>
      <form onSubmit={remove}>
        <p>Your messages remain in their chats, without your name.</p>
        <label>
          Password
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <Problem text={error} />
        <button type="submit" class="danger" disabled={busy}>
          Delete permanently
        </button>
      </form>
    </details>
  );
}
