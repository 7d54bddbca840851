"""The mailbox for reports by e-mail: read by IMAP, filed as complaints, answered without a word of the case.

Nobody reads it before the complaint is routed. Every mail is filed at least once, under its Message-ID; what cannot be
understood is kept sealed with an incident. Whoever wrote is sealed as an identity.
"""
