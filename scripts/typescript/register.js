// Lets Node run this repository's TypeScript: `node --import ./scripts/typescript/register.js file.ts`. The tests run
// with it, as .taprc says. From Node 22.18 on Node strips types itself, and this does nothing.
import { register } from 'node:module'

if (!process.features.typescript) register('./hooks.js', import.meta.url)
