import type { Params, Result } from '../../../src/client/index.ts';

interface Props {
  readonly about: Result<'getGroup'>['data'];
  readonly busy: boolean;
  onSave(changes: Params<'updateGroup'>): void;
}

/** The form for the name, the visibility and the rules of a group. */
export function GroupSettings({ about, busy, onSave }: Props) {
  const { groupId, groupName, description, isPrivate, whoMayPost, slowModeSeconds } = about;
  const save = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    onSave({
      groupId,
      groupName: String(form.get('name')),
      description: String(form.get('description')) || null,
      isPrivate: form.get('public') === null,
      whoMayPost: form.get('admins') === null ? 'members' : 'admins',
      slowModeSeconds: Number(form.get('slow')),
    });
  };
  return (
    <details>
      <summary>Settings</summary>
      <form onSubmit={save}>
        <label>
          Name
          <input name="name" required maxLength={100} defaultValue={groupName} />
        </label>
        <label>
          Description
          <textarea name="description" rows={2} maxLength={1000} defaultValue={description ?? ''} />
        </label>
        <label class="check">
          <input type="checkbox" name="public" defaultChecked={!isPrivate} /> Public: all users can find and
          join it
        </label>
        <label class="check">
          <input type="checkbox" name="admins" defaultChecked={whoMayPost === 'admins'} /> Only admins can
          write
        </label>
        <label>
          Slow mode: seconds between two messages of a member
          <input name="slow" type="number" min={0} max={86_400} defaultValue={`${slowModeSeconds}`} />
        </label>
        <button type="submit" class="primary" disabled={busy}>
          Save
        </button>
      </form>
    </details>
  );
}
