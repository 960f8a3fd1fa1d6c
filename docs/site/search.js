// The search of the reference, in the browser alone: the index is a file that is read when the field gets the focus.

const box = document.querySelector('search');
const field = box.querySelector('input');
const found = box.querySelector('.found');
const status = found.querySelector('[role=status]');
const list = found.querySelector('ul');
/** The folder of the pages, which the addresses in the index are relative to. */
const folder = new URL('.', document.currentScript.src);
const MOST = 20;

let index;
function readIndex() {
  index ??= fetch(new URL('search.json', folder)).then((answer) => {
    if (!answer.ok) throw new Error(`the index could not be read: ${answer.status}`);
    return answer.json();
  });
  index.catch(() => {
    index = undefined; // the next search tries again
  });
  return index;
}

/** Returns how well a place fits, the higher the better; 0 if one of the words is missing. */
function scoreOf([title, page, , text], words) {
  const [own, other] = [title.toLowerCase(), `${page} ${text}`.toLowerCase()];
  const scores = words.map((word) => {
    if (own === word) return 100;
    if (own.startsWith(word)) return 40;
    if (own.includes(word)) return 20;
    return other.includes(word) ? 1 : 0;
  });
  if (scores.includes(0)) return 0;
  const isPage = page === '' ? 3 : 0;
  return scores.reduce((sum, score) => sum + score, isPage);
}

function search(places, query) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  return places
    .map((place) => ({ place, score: scoreOf(place, words) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ place }) => place);
}

/** Returns the text around the first word that it contains. */
function excerptOf(text, query) {
  const [word = ''] = query.toLowerCase().split(/\s+/);
  const at = text.toLowerCase().indexOf(word);
  const start = at > 60 ? text.lastIndexOf(' ', at - 40) + 1 : 0;
  return `${start > 0 ? '… ' : ''}${text.slice(start, start + 120)}${text.length > start + 120 ? ' …' : ''}`;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function rowOf([title, page, address, text], query) {
  const link = element('a', '');
  link.href = new URL(address, folder).href;
  link.append(element('strong', title), ' ', element('small', page), element('span', excerptOf(text, query)));
  link.addEventListener('click', close); // of an anchor on the same page
  const row = element('li', '');
  row.append(link);
  return row;
}

async function update() {
  const query = field.value.trim();
  if (query === '') return close();
  let places;
  try {
    places = await readIndex();
  } catch (error) {
    return show(error.message, []);
  }
  if (field.value.trim() !== query) return;
  const all = search(places, query);
  const counted = all.length === 1 ? '1 result' : `${all.length} results`;
  show(
    all.length > MOST ? `${counted}, the best ${MOST}:` : counted,
    all.slice(0, MOST).map((place) => rowOf(place, query)),
  );
}

function show(message, rows) {
  status.textContent = message;
  list.replaceChildren(...rows);
  found.hidden = false;
}

function close() {
  found.hidden = true;
}

/** Moves the focus among the field and the results. */
function move(step) {
  const stops = [field, ...list.querySelectorAll('a')];
  const next = stops[stops.indexOf(document.activeElement) + step];
  next?.focus();
}

field.addEventListener('focus', () => readIndex().catch(() => {}));
field.addEventListener('input', update);
box.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    field.focus();
    close();
  } else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault();
    move(event.key === 'ArrowDown' ? 1 : -1);
  } else if (event.key === 'Enter' && event.target === field) list.querySelector('a')?.click();
});
document.addEventListener('keydown', (event) => {
  const isTyping = event.target.closest('input, textarea, [contenteditable]');
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
  event.preventDefault();
  field.focus();
});
document.addEventListener('click', (event) => {
  if (!box.contains(event.target)) close();
});
box.hidden = false;
