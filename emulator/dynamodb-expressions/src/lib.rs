//! DynamoDB's attribute values and expressions, without its tables: what conditions, filters, projections, keys and
//! updates mean.
