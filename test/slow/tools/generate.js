import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GoGenerator, PythonGenerator, TypeScriptGenerator } from '@asyncapi/modelina';
import { Parser } from '@asyncapi/parser';
import core from '@stoplight/spectral-core';
import parsers from '@stoplight/spectral-parsers';
import rulesets from '@stoplight/spectral-rulesets';
import openapiTS, { astToString } from 'openapi-typescript';

/*
 * Runs generators of code and Spectral over the asyncapi.yaml and the openapi.yaml in a folder, and writes into it:
 * models.ts, models.py, models.go and openapi.ts, and in findings.json what the parser and Spectral found, and the names
 * of the models.
 */

const [folder = '.'] = process.argv.slice(2);
const read = (name) => readFileSync(join(folder, name), 'utf8');
const write = (name, text) => writeFileSync(join(folder, name), text);

const { document, diagnostics } = await new Parser().parse(read('asyncapi.yaml'));
const findings = { parser: diagnostics, models: {}, spectral: {} };

for (const [name, generator, head] of [
  ['models.ts', new TypeScriptGenerator({ modelType: 'interface' }), 'export {};'],
  ['models.py', new PythonGenerator(), ''],
  ['models.go', new GoGenerator(), 'package parley'],
]) {
  const models = document ? await generator.generate(document) : [];
  write(name, [head, ...models.map(({ result }) => result)].join('\n\n'));
  findings.models[name] = models.map(({ modelName }) => modelName);
}

write('openapi.ts', astToString(await openapiTS(read('openapi.yaml'))));

/** Recommendations that the documents do not follow. */
const OFF = {
  'asyncapi.yaml': {
    'asyncapi-latest-version': 'off', // a hint: generators know 3.0
    'asyncapi-info-contact': 'off', // that of an operator, whom the documents do not know
    'asyncapi-3-operation-description': 'off', // each has a summary, and a description if there is more to say
  },
  'openapi.yaml': {
    'info-contact': 'off',
    'operation-description': 'off',
    'oas3-server-trailing-slash': 'off', // the address is relative
    'oas3-valid-media-example': 'off', // it reads patterns without Unicode; apis.test.ts validates the examples
  },
};

for (const [name, rules] of [
  ['asyncapi.yaml', rulesets.asyncapi],
  ['openapi.yaml', rulesets.oas],
]) {
  const spectral = new core.Spectral();
  spectral.setRuleset({ extends: [[rules, 'recommended']], rules: OFF[name] });
  const found = await spectral.run(new core.Document(read(name), parsers.Yaml, name));
  findings.spectral[name] = found.map(({ code, path, message }) => `${code} ${path.join('.')}: ${message}`);
}

write('findings.json', JSON.stringify(findings));
