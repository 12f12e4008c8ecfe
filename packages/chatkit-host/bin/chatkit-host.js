#!/usr/bin/env node
import { runCommand } from '../dist/cli.js'

await runCommand(process.argv.slice(2))
