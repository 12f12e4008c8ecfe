// Commands here are as the host's own are.
export { StartError as Refusal } from 'chatkit-host'
export { type Command, type Io, readArgs } from 'chatkit-host/development'
