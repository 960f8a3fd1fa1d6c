import { Type } from 'typebox';
import { readLiveMessage } from '../messages/read.ts';
import { Empty, IdOfMessage, Text } from '../protocol/schema/types.ts';
import { defineCommand } from './define.ts';

export const reportMessage = defineCommand({
  type: 'reportMessage',
  summary: 'Report a message to the operators',
  description:
    'The table reports stores the report with the content of the message; no other user is notified. Each user can report a message once.',
  params: Type.Object({ messageId: IdOfMessage, reason: Text(1, 500, 'Reason of the report') }),
  result: Empty,
  repeatable: true,
  storesMessage: false,
  ordered: true,
  cost: 1,
  errors: ['NOT_FOUND'],
  async handle({ messageId, reason }, { session, db, log }) {
    const report = { messageId, reporterId: session.userId };
    if (await db.reports.findOne({ where: report })) return {}; // whatever became of the message since
    const { content } = await readLiveMessage(db, session.userId, messageId);
    const [created] = await db.execute(insertReport, [messageId, report.reporterId, reason, content]);
    if (created) log.info(report, 'message reported');
    return {};
  },
});

/** Returns a row unless the user has reported the message before. */
const insertReport = `
insert into reports (message_id, reporter_id, reason, content) values ($1, $2, $3, $4)
on conflict (message_id, reporter_id) do nothing
returning id
`;
