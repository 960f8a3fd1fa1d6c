import { registry } from '../commands/registry.ts';
import { replaceFile } from '../files.ts';
import { asyncapiDocument } from './asyncapi.ts';
import { recordExamples } from './record.ts';

/* `npm run docs`: records the examples anew and writes them and the document that shows them. */

const examples = await recordExamples();
await replaceFile('src/docs/examples.json', `${JSON.stringify(examples, null, 2)}\n`);
await replaceFile('asyncapi.yaml', asyncapiDocument(registry.values(), examples));
