/**
 * Returns the index of the menu item that a key moves the focus to; undefined for any other key. The arrows wrap
 * around. `focused` is -1 if no item has the focus.
 */
export function nextItem(key: string, focused: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
    case 'ArrowRight':
      return (focused + 1) % count;
    case 'ArrowUp':
    case 'ArrowLeft':
      return focused > 0 ? focused - 1 : count - 1;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}
