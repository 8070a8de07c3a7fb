import { type Static, Type } from 'typebox';

/** How long a tenant keeps its audit trail. */
export const auditSchema = Type.Object(
  {
    /** Days after which events are removed; left out: never. */
    retention_days: Type.Optional(Type.Integer({ minimum: 30, maximum: 3650 })),
  },
  { additionalProperties: false },
);

export interface AuditPolicy {
  retentionDays: number | undefined;
}

/** Fills in the defaults. */
export function auditPolicyOf(settings: Static<typeof auditSchema> | undefined): AuditPolicy {
  return { retentionDays: settings?.retention_days };
}
