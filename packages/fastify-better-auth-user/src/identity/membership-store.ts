/** Who belongs to which organization. */
export interface MembershipStore {
  /** `null`: not a member, or no such organization. An outage is a throw. */
  find(userId: string, organizationId: string): Promise<Membership | null>
}

export interface Membership {
  /** Comma-separated list, as Better Auth's organization plugin keeps it. */
  role: string | null
}
