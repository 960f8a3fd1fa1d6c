import { type Action, limitOf } from './define.ts';

export const listReports: Action = (_, values, { db }) => db.query(reports, [limitOf(values)]);

const reports = `
select reports.id, reports.created_at as "createdAt", reporter_id as "reporterId", reason, message_id as "messageId",
  messages.sender_id as "senderId", messages.chat_id as "chatId", reports.content
from reports left join messages on messages.id = reports.message_id
order by reports.id desc limit $1
`;
