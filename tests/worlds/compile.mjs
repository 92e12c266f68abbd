// `node compile.mjs OUT CONTRACT…`: compile Aave v3.6 from its npm sources with the npm compiler into one JSON file,
// {contract: artifact in Hardhat's shape}. CONTRACT is a source path below src/contracts, without `.sol`.

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const solc = createRequire(import.meta.url)('solc');
const modules = join(dirname(fileURLToPath(import.meta.url)), 'node_modules');
const root = '@aave-dao/aave-v3-origin/src/contracts';
const remapped = ['openzeppelin-contracts/contracts/', '@openzeppelin/contracts/'];

const source = (path) => readFileSync(join(modules, path.replace(...remapped)), 'utf8');

function findImport(path) {
  try {
    return { contents: source(path) };
  } catch (error) {
    return { error: error.message };
  }
}

const [output, ...contracts] = process.argv.slice(2);
const paths = contracts.map((contract) => `${root}/${contract}.sol`);
const input = {
  language: 'Solidity',
  sources: Object.fromEntries(paths.map((path) => [path, { content: source(path) }])),
  settings: {
    evmVersion: 'shanghai',
    optimizer: { enabled: true, runs: 200 },
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
const artifacts = paths.map((path) => {
  const name = path.split('/').at(-1).replace('.sol', '');
  const { abi, evm } = compiled.contracts[path][name];
  const { object, linkReferences } = evm.bytecode;
  return [name, { contractName: name, abi, bytecode: `0x${object}`, linkReferences }];
});
writeFileSync(output, JSON.stringify(Object.fromEntries(artifacts)));
