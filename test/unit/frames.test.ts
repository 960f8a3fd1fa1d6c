import { expect } from 'chai';
import { ApiError } from '../../src/protocol/errors.ts';
import {
  encodeError,
  encodePush,
  encodeReply,
  encodeRequestId,
  readRequest,
} from '../../src/protocol/frames.ts';

describe('the frame of a request', () => {
  const read = (frame: string) => {
    const { problem, ...request } = readRequest(frame);
    return { ...request, ...(problem && { code: problem.code, message: problem.message }) };
  };
  const refusal = (message: string, type = 'unknown', id?: unknown) => ({
    type,
    id,
    params: undefined,
    code: 'BAD_REQUEST',
    message,
  });

  it('has a type, params and an id, of which only the type is required', () => {
    expect(read('{"type":"ping","params":{"a":1},"id":"7"}')).to.deep.equal({
      type: 'ping',
      params: { a: 1 },
      id: '7',
    });
    expect(read('{"type":"ping"}')).to.deep.equal({ type: 'ping', params: {}, id: undefined });
    expect(read('{"type":"ping","params":null,"id":0}')).to.deep.equal({ type: 'ping', params: null, id: 0 });
  });

  it('is refused if it is not JSON, or not an object', () => {
    const expected = 'expected { "type": …, "params": … }';
    for (const frame of ['', '{', 'ping'])
      expect(read(frame)).to.deep.equal(refusal(`The frame is not JSON; ${expected}`));
    for (const frame of ['null', '[]', '"ping"', '1', '[{"type":"ping"}]'])
      expect(read(frame)).to.deep.equal(refusal(`The frame is not an object; ${expected}`));
  });

  it('is refused with an id that cannot be repeated exactly, and without that id', () => {
    for (const id of ['1.5', 'null', 'true', '{}', '[1]', '9007199254740992'])
      expect(read(`{"type":"ping","id":${id}}`)).to.deep.equal(
        refusal('id must be a string or an integer', 'ping'),
      );
    expect(read('{"type":1,"id":true}')).to.deep.equal(refusal('id must be a string or an integer'));
  });

  it('is refused without a type, with its id', () => {
    for (const frame of ['{"id":"7"}', '{"type":1,"id":"7"}', '{"type":null,"id":"7"}'])
      expect(read(frame)).to.deep.equal(refusal('type must be a string', 'unknown', '7'));
  });
});

describe('the frame of the server', () => {
  it('is a reply with the three fixed fields, others beside them, and the id', () => {
    expect(JSON.parse(encodeReply('newGroup', { groupId: 3 }, 7))).to.deep.equal({
      type: 'newGroup',
      success: true,
      params: { data: null, message: null, senderName: null, groupId: 3 },
      id: 7,
    });
    expect(JSON.parse(encodeReply('listUsers', { data: [] }, undefined))).to.deep.equal({
      type: 'listUsers',
      success: true,
      params: { data: [], message: null, senderName: null },
    });
  });

  it('is a push with the three fixed fields and others beside them', () => {
    expect(JSON.parse(encodePush('privateMessage', 'Hi', 'Ada', { seq: 1 }))).to.deep.equal({
      type: 'privateMessage',
      success: true,
      params: { data: null, message: 'Hi', senderName: 'Ada', seq: 1 },
    });
  });

  it('is an error with its code and message, and the id, the seconds to wait and the seq where there are some', () => {
    expect(JSON.parse(encodeError('ping', new ApiError('RATE_LIMITED', 'Too many', 2), 'a'))).to.deep.equal({
      error: true,
      type: 'ping',
      code: 'RATE_LIMITED',
      message: 'Too many',
      retryAfter: 2,
      id: 'a',
    });
    const conflict = new ApiError('CONFLICT', 'Too late', undefined, 0);
    expect(JSON.parse(encodeError('ping', conflict, 1))).to.include({ code: 'CONFLICT', seq: 0, id: 1 });
    const bare = { error: true, type: 'unknown', code: 'BAD_REQUEST', message: 'No' };
    expect(JSON.parse(encodeError('unknown', new ApiError('BAD_REQUEST', 'No'), undefined))).to.deep.equal(
      bare,
    );
  });

  it('ends with the id of the request, as it was given', () => {
    expect([undefined, 0, 7, '7', 'a"b\n'].map(encodeRequestId)).to.deep.equal([
      '',
      ',"id":0',
      ',"id":7',
      ',"id":"7"',
      ',"id":"a\\"b\\n"',
    ]);
  });
});
