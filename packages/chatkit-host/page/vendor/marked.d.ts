// The host serves the package's one file at this place.
export * from 'marked'
