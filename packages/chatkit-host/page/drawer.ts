import { find } from './dom.ts'

/** The list of conversations, which a narrow screen has room for only on top of everything else. */
export interface Drawer {
  /** Does nothing where the list is always there. */
  close(): void
  readonly isOpen: boolean
}

export function createDrawer(): Drawer {
  const side = find('sidebar', HTMLElement)
  const main = find('main', HTMLElement)
  const openButton = find('drawer-open', HTMLButtonElement)
  const closeButton = find('drawer-close', HTMLButtonElement)
  const narrow = matchMedia('(width < 48rem)')

  function turn(isOpen: boolean): void {
    const wasThere = side.contains(document.activeElement)
    document.body.classList.toggle('drawer', isOpen)
    openButton.setAttribute('aria-expanded', String(isOpen))
    // What is out of sight, or behind, is out of reach as well.
    side.inert = narrow.matches && !isOpen
    main.inert = narrow.matches && isOpen
    if (isOpen) closeButton.focus()
    else if (wasThere && narrow.matches) openButton.focus()
  }

  openButton.addEventListener('click', () => turn(true))
  closeButton.addEventListener('click', () => turn(false))
  find('shade', HTMLElement).addEventListener('click', () => turn(false))
  narrow.addEventListener('change', () => turn(false))
  turn(false)

  return {
    close: () => turn(false),
    get isOpen() {
      return document.body.classList.contains('drawer')
    }
  }
}
