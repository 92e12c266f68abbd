// `node compile_own.mjs OUT SOURCE…`: compile the tests' own contracts with the npm compiler into one JSON file,
// {contract: artifact in Hardhat's shape}. SOURCE is a path of a .sol file; sources import each other as "./Name.sol".

import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';

const solc = createRequire(import.meta.url)('solc');
const [output, ...paths] = process.argv.slice(2);
const input = {
  language: 'Solidity',
  sources: Object.fromEntries(paths.map((path) => [basename(path), { content: readFileSync(path, 'utf8') }])),
  settings: {
    evmVersion: 'shanghai',
    optimizer: { enabled: true, runs: 200 },
    metadata: { bytecodeHash: 'none' },
    outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.bytecode.linkReferences'] } },
  },
};
const compiled = JSON.parse(solc.compile(JSON.stringify(input)));
const errors = (compiled.errors ?? []).filter((found) => found.severity === 'error');
if (errors.length) {
  console.error(errors.map((found) => found.formattedMessage).join('\n'));
  process.exit(1);
}
const artifacts = Object.values(compiled.contracts).flatMap((file) =>
  Object.entries(file).map(([name, { abi, evm }]) => {
    const { object, linkReferences } = evm.bytecode;
    return [name, { contractName: name, abi, bytecode: `0x${object}`, linkReferences }];
  }),
);
writeFileSync(output, JSON.stringify(Object.fromEntries(artifacts)));
