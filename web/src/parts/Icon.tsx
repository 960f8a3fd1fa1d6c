/** SVG paths in a view box of 24 by 24. */
const PATHS = {
  logo: 'M5 4h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-4.5 4v-4H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2zM8 9h8M8 12h5',
  back: 'M15 5l-7 7 7 7',
  close: 'M6 6l12 12M18 6L6 18',
  plus: 'M12 5v14M5 12h14',
  search: 'M11 4a7 7 0 1 1 0 14 7 7 0 0 1 0-14zM16 16l4.5 4.5',
  send: 'M4 12l16-8-5 16-3.5-6.5z',
  more: 'M12 5.5v.01M12 12v.01M12 18.5v.01',
  reply: 'M9 7l-5 5 5 5M4 12h10a6 6 0 0 1 6 6v1',
  smile: 'M12 3a9 9 0 1 1 0 18 9 9 0 0 1 0-18zM8.5 14.5a4.5 4.5 0 0 0 7 0M9 9.5v.01M15 9.5v.01',
  edit: 'M4 20l1-4L16 5l3 3L8 19z',
  trash: 'M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13',
  copy: 'M9 9h10v11H9zM15 9V4H5v11h4',
  pin: 'M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v6',
  mute: 'M6 16h12l-1.5-2v-4a4.5 4.5 0 0 0-9 0v4zM10 19a2 2 0 0 0 4 0M4 4l16 16',
  bell: 'M6 16h12l-1.5-2v-4a4.5 4.5 0 0 0-9 0v4zM10 19a2 2 0 0 0 4 0',
  archive: 'M4 5h16v4H4zM6 9v10h12V9M10 13h4',
  unread: 'M4 6h16v12H4zM4 7l8 6 8-6',
  people: 'M9 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM3 19a6 6 0 0 1 12 0M16 5.5a3 3 0 0 1 0 5.5M18 14a6 6 0 0 1 3 5',
  settings: 'M4 7h10M18 7h2M4 12h2M10 12h10M4 17h8M16 17h4M16 5v4M8 10v4M14 15v4',
  sent: 'M5 12.5l4.5 4.5L19 7.5',
  delivered: 'M2.5 12.5L7 17l9.5-9.5M12 17l9.5-9.5',
  clock: 'M12 4a8 8 0 1 1 0 16 8 8 0 0 1 0-16zM12 8v4.5l3 1.5',
  alert: 'M12 4l9 16H3zM12 10v4M12 17v.01',
  down: 'M6 10l6 6 6-6',
  leave: 'M14 5H6v14h8M11 12h9M17 9l3 3-3 3',
} as const;

export type IconName = keyof typeof PATHS;

/** An icon, hidden from screen readers: it stands beside a text or in a button with a label. */
export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
