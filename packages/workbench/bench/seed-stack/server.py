"""The design of the first documents, as they write it: python-jose, SQLAlchemy, psycopg2, one worker.

Measured by `pnpm bench auth`, where Debian's python3-fastapi, python3-jose, python3-sqlalchemy, python3-psycopg2 and
uvicorn (with python3-uvloop and python3-httptools) are installed. Nobody should run it for anything else.
"""

import os
from datetime import datetime, timezone

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from jose import JWTError, jwt
from sqlalchemy import Column, DateTime, ForeignKey, String, create_engine
from sqlalchemy.orm import Session, declarative_base, relationship, sessionmaker

SECRET = os.environ["BETTER_AUTH_SECRET"]
ISSUER = os.environ["BETTER_AUTH_ISSUER"]

engine = create_engine(os.environ["DATABASE_URL"].replace("postgres://", "postgresql://", 1))
SessionLocal = sessionmaker(bind=engine, autocommit=False, autoflush=False)
Base = declarative_base()
security = HTTPBearer()
app = FastAPI()


class User(Base):
    __tablename__ = "user"

    id = Column(String, primary_key=True)
    name = Column(String)
    email = Column(String, unique=True, nullable=False)
    sessions = relationship("UserSession", back_populates="user")


class UserSession(Base):
    __tablename__ = "session"

    id = Column(String, primary_key=True)
    user_id = Column("userId", String, ForeignKey("user.id"))
    expires_at = Column("expiresAt", DateTime(timezone=True))
    token = Column(String)
    user = relationship("User", back_populates="sessions")


def get_db():
    db = SessionLocal()
    try:
        yield db
    finally:
        db.close()


def current_user_id(
    credentials: HTTPAuthorizationCredentials = Depends(security),
    db: Session = Depends(get_db),
) -> str:
    try:
        claims = jwt.decode(
            credentials.credentials,
            SECRET,
            algorithms=["HS256"],
            issuer=ISSUER,
            options={"verify_aud": False},
        )
    except JWTError as error:
        raise HTTPException(401, "Invalid or expired JWT token") from error
    user = db.query(User).filter(User.email == claims["email"]).first()
    if user is None:
        raise HTTPException(404, "User not found with provided email")
    now = datetime.now(timezone.utc)
    for session in user.sessions:
        if session.expires_at > now:
            return session.user_id
    raise HTTPException(404, "No active sessions found for user")


@app.get("/me")
def me(user_id: str = Depends(current_user_id)):
    return {"id": user_id}
