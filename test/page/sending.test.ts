import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { newClients, newUser } from '../support/harness.ts';
import { choose, eventually, messageIn, sendMessage, textsIn, windowOf, withBrowser } from './browser.ts';

/** Resolves once a message that was not sent is shown, and returns its buttons. */
async function failed(page: Page, text: string) {
  const message = messageIn(page, text);
  await message.getByText('Not sent.').waitFor();
  return {
    tryAgain: message.getByRole('button', { name: 'Try again' }),
    discard: message.getByRole('button', { name: 'Discard' }),
  };
}

describe('sending in the page', function () {
  this.timeout(120_000);
  withBrowser();

  it('replaces a message that failed when it is tried again, once it succeeds and while it fails', async () => {
    const [ada, bob] = await newClients(2);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'Hi' });
    const page = await windowOf(ada, `#/user/${bob.id}`);
    await choose(page, 'Hi', 'Reply');
    await bob.client.done('blockUser', { userId: ada.id });
    await sendMessage(page, 'Hello?');
    await (await failed(page, 'Hello?')).tryAgain.click();
    const { tryAgain } = await failed(page, 'Hello?');
    expect(await page.getByRole('alert').count()).to.equal(1);
    expect(await textsIn(page)).to.deep.equal(['Hi', 'Hello?']);
    await bob.client.done('unblockUser', { userId: ada.id });
    await tryAgain.click();
    await messageIn(page, 'Hello?')
      .getByTitle(/sent|delivered|read/)
      .waitFor();
    expect(await textsIn(page)).to.deep.equal(['Hi', 'Hello?']);
    expect(await page.getByRole('alert').count()).to.equal(0);
    await messageIn(page, 'Hello?').locator('.quote', { hasText: 'Hi' }).waitFor();
    const { data } = await bob.client.done('getMessages', { receiverId: ada.id, limit: 10 });
    expect(data.map(({ content }: { content: string }) => content)).to.deep.equal(['Hi', 'Hello?']);
    expect(data[1].replyTo).to.equal(data[0].messageId);
  });

  it('discards a message that failed, for good', async () => {
    const [ada, bob] = await newClients(2);
    await bob.client.done('privateMessage', { receiverId: ada.id, content: 'Hi' });
    await bob.client.done('blockUser', { userId: ada.id });
    const page = await windowOf(ada, `#/user/${bob.id}`);
    await sendMessage(page, 'Hello?');
    await (await failed(page, 'Hello?')).discard.click();
    await messageIn(page, 'Hello?').waitFor({ state: 'detached' });
    await bob.client.done('unblockUser', { userId: ada.id });
    await sendMessage(page, 'Hello!');
    expect((await bob.client.push('privateMessage')).params.message).to.equal('Hello!');
    expect(await textsIn(page)).to.deep.equal(['Hi', 'Hello!']);
  });

  it('shows the error of an edit until something else is sent, and keeps the message as it was', async () => {
    const [ada, bob] = await newClients(2);
    const { messageId } = await ada.client.done('privateMessage', { receiverId: bob.id, content: 'sent' });
    const page = await windowOf(ada, `#/user/${bob.id}`);
    await messageIn(page, 'sent').waitFor();
    await choose(page, 'sent', 'Edit');
    await ada.client.done('deleteMessage', { messageId });
    await messageIn(page, 'Deleted message').waitFor();
    await page.getByRole('textbox', { name: 'Edit the message' }).fill('changed');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('was deleted').waitFor();
    expect(await textsIn(page)).to.deep.equal(['Deleted message']);
    await sendMessage(page, 'another');
    await page.getByRole('alert').waitFor({ state: 'detached' });
  });

  it('keeps the draft of a chat while another one is open, and while a message is edited', async () => {
    const [ada, bob] = await newClients(2);
    const cleo = await newUser();
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'sent' });
    const page = await windowOf(ada, `#/user/${bob.id}`);
    const field = page.getByRole('textbox', { name: 'Write a message' });
    await messageIn(page, 'sent').waitFor();
    await field.fill('a draft');
    await page.evaluate((hash) => location.assign(hash), `#/user/${cleo.id}`);
    await page.getByRole('button', { name: `About ${cleo.username}` }).waitFor();
    expect(await field.inputValue()).to.equal('');
    await page.evaluate((hash) => location.assign(hash), `#/user/${bob.id}`);
    await page.getByRole('button', { name: `About ${bob.username}` }).waitFor();
    expect(await field.inputValue()).to.equal('a draft');
    await choose(page, 'sent', 'Edit');
    const edit = page.getByRole('textbox', { name: 'Edit the message' });
    await edit.fill('changed');
    await page.keyboard.press('Escape');
    expect(await field.inputValue()).to.equal('a draft');
    await choose(page, 'sent', 'Edit');
    await page.locator('.intent').getByRole('button', { name: 'Cancel' }).click();
    expect(await field.inputValue()).to.equal('a draft');
    expect(await textsIn(page)).to.deep.equal(['sent']);
    await choose(page, 'sent', 'Edit');
    await edit.fill('changed');
    await page.keyboard.press('Enter');
    await eventually(() => textsIn(page), ['changed']);
    expect(await field.inputValue()).to.equal('a draft');
  });

  /** A user with a window at the dialog with another one, in which is a message. */
  async function openDialog() {
    const [ada, bob] = await newClients(2);
    await ada.client.done('privateMessage', { receiverId: bob.id, content: 'sent' });
    const page = await windowOf(ada, `#/user/${bob.id}`);
    await messageIn(page, 'sent').waitFor();
    await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
    return { ada, bob, page, field: page.getByRole('textbox', { name: 'Write a message' }) };
  }

  it('begins a line with Shift and Enter', async () => {
    const { page, field } = await openDialog();
    await field.fill('one');
    await page.keyboard.press('Shift+Enter');
    await page.keyboard.type('two');
    await page.keyboard.press('Enter');
    await eventually(() => textsIn(page), ['sent', 'one\ntwo']);
  });

  it('does not happen while an input method composes a word, nor with blanks alone', async () => {
    const { page, field } = await openDialog();
    await field.fill('  ');
    await page.keyboard.press('Enter');
    expect(await page.getByRole('button', { name: 'Send' }).isDisabled()).to.equal(true);
    await field.fill('にほん');
    await field.dispatchEvent('keydown', { key: 'Enter', isComposing: true, bubbles: true });
    expect(await field.inputValue()).to.equal('にほん');
    await page.keyboard.press('Enter');
    await eventually(() => textsIn(page), ['sent', 'にほん']);
  });

  it('keeps no draft of a message that was sent, and no reply for another chat', async () => {
    const { bob, page, field } = await openDialog();
    const cleo = await newUser();
    const open = async ({ id, username }: { id: number; username: string }) => {
      await page.evaluate((hash) => location.assign(hash), `#/user/${id}`);
      await page.getByRole('button', { name: `About ${username}` }).waitFor();
    };
    await choose(page, 'sent', 'Reply');
    await open(cleo);
    expect(await page.locator('.intent').count()).to.equal(0);
    await open(bob);
    await field.fill('no draft');
    await page.getByRole('button', { name: 'Send' }).click();
    await messageIn(page, 'no draft').waitFor();
    await open(cleo);
    await open(bob);
    expect(await field.inputValue()).to.equal('');
  });

  it('shows others that the user types, until the field is empty or another one has the focus', async () => {
    const { bob, page, field } = await openDialog();
    const typing = async () => (await bob.client.push('typing')).params.typing;
    await field.fill('a');
    expect(await typing()).to.equal(true);
    await field.fill('');
    expect(await typing()).to.equal(false);
    await field.fill('b');
    expect(await typing()).to.equal(true);
    await page.getByRole('searchbox').focus();
    expect(await typing()).to.equal(false);
  });

  it('leaves a text alone when the arrow up is pressed in it', async () => {
    const { page, field } = await openDialog();
    await field.fill('a text');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await eventually(() => textsIn(page), ['sent', 'a text']);
  });
});
