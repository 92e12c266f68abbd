// `node compile.mjs JOB OUT`: compile what a JSON file asks for with an npm compiler into another JSON file,
// {contract: artifact in Hardhat's shape}. JOB is {compiler, settings, sources: {name: path}, remapped: {from: to}}:
// the contracts of `sources` are put out; imports that are no source are looked up below node_modules.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [wanted, output] = process.argv.slice(2);
const job = JSON.parse(readFileSync(wanted, 'utf8'));
const solc = createRequire(import.meta.url)(job.compiler);
const modules = join(dirname(fileURLToPath(import.meta.url)), 'node_modules');

function findImport(path) {
  const place = Object.entries(job.remapped).reduce((found, [from, to]) => found.replace(from, to), path);
  try {
    return { contents: readFileSync(join(modules, place), 'utf8') };
  } catch (error) {
    return { error: error.message };
  }
}

const input = {
  language: 'Solidity',
  sources: Object.fromEntries(
    Object.entries(job.sources).map(([name, path]) => [name, { content: readFileSync(path, 'utf8') }]),
  ),
  settings: {
    ...job.settings,
    metadata: { bytecodeHash: 'none' },
    outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.bytecode.linkReferences'] } },
  },
};
const compiled = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }));
const errors = (compiled.errors ?? []).filter((found) => found.severity === 'error');
if (errors.length) {
  console.error(errors.map((found) => found.formattedMessage).join('\n'));
  process.exit(1);
}
const artifacts = Object.keys(job.sources).flatMap((file) =>
  Object.entries(compiled.contracts[file]).map(([name, { abi, evm }]) => {
    const { object, linkReferences } = evm.bytecode;
    return [name, { contractName: name, abi, bytecode: `0x${object}`, linkReferences }];
  }),
);
writeFileSync(output, JSON.stringify(Object.fromEntries(artifacts)));
